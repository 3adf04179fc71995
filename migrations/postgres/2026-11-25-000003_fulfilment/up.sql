-- From the supplier to the doorstep: dates and notices, arrivals, allocation, parcels, and what comes after the door.

-- cancelled: units that are not wanted any more. allocated: units of the batch's stock given to the line, those in parcels
-- (picked) and those handed over (shipped) included. A unit may be both shipped and cancelled where the handover was
-- recorded after the cancellation: the merchant bears it.
ALTER TABLE orders ADD COLUMN allowances BIGINT NOT NULL DEFAULT 0 CHECK (allowances >= 0);
ALTER TABLE order_lines ADD COLUMN cancelled BIGINT NOT NULL DEFAULT 0 CHECK (cancelled >= 0 AND cancelled <= quantity);
ALTER TABLE order_lines ADD COLUMN allocated BIGINT NOT NULL DEFAULT 0 CHECK (allocated >= 0 AND allocated <= quantity);
ALTER TABLE order_lines ADD COLUMN picked BIGINT NOT NULL DEFAULT 0 CHECK (picked >= 0);
ALTER TABLE order_lines ADD COLUMN shipped BIGINT NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND shipped + picked <= allocated);
ALTER TABLE order_lines ADD COLUMN delivered BIGINT NOT NULL DEFAULT 0 CHECK (delivered >= 0 AND delivered <= shipped);
UPDATE order_lines SET cancelled = quantity WHERE state IN ('cancelled', 'dropped', 'refunded');

-- Which units left an order, and when: what a handover is compared with.
CREATE TABLE line_cancellations (
    id BYTEA PRIMARY KEY NOT NULL,
    order_id BYTEA NOT NULL REFERENCES orders (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    units BIGINT NOT NULL CHECK (units > 0),
    purpose TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX line_cancellations_by_order ON line_cancellations (order_id, at);

ALTER TABLE campaigns ADD COLUMN last_sign_at TIMESTAMP;
ALTER TABLE merchants ADD COLUMN withdrawal_everywhere BOOLEAN NOT NULL DEFAULT FALSE;

-- arrives and ship_date: the last dates set; both empty: not known. address_lock: the first day on which shoppers
-- cannot change their address any more. received_at: when everything ordered had arrived or was given up.
ALTER TABLE batches ADD COLUMN arrives DATE;
ALTER TABLE batches ADD COLUMN ship_date DATE;
ALTER TABLE batches ADD COLUMN address_lock DATE;
ALTER TABLE batches ADD COLUMN received_at TIMESTAMP;
ALTER TABLE batches ADD COLUMN completed_at TIMESTAMP;

-- Every date that was set for a batch: who set it, why, and when shoppers were told.
CREATE TABLE etas (
    id BYTEA PRIMARY KEY NOT NULL,
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    purchase_order_id BYTEA REFERENCES purchase_orders (id),
    arrives DATE,
    ship_date DATE,
    source TEXT NOT NULL CHECK (source IN ('staff', 'supplier', 'system')),
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_at TIMESTAMP NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'passed_on', 'withheld', 'superseded')),
    passed_on_at TIMESTAMP,
    passed_on_by TEXT
);
CREATE INDEX etas_by_batch ON etas (batch_id, id);

-- Purchase orders: several may be open in one batch, one with each supplier.
ALTER TABLE purchase_orders ADD COLUMN added_units BIGINT NOT NULL DEFAULT 0 CHECK (added_units >= 0);
ALTER TABLE purchase_orders ADD COLUMN replaces BYTEA REFERENCES purchase_orders (id);
ALTER TABLE purchase_orders ADD COLUMN in_production_at TIMESTAMP;
ALTER TABLE purchase_orders ADD COLUMN shipped_at TIMESTAMP;
ALTER TABLE purchase_orders ADD COLUMN carrier TEXT;
ALTER TABLE purchase_orders ADD COLUMN tracking_number TEXT;
ALTER TABLE purchase_orders ADD COLUMN received_at TIMESTAMP;
ALTER TABLE purchase_orders ADD COLUMN closed_at TIMESTAMP;
DROP INDEX purchase_orders_open;
CREATE UNIQUE INDEX purchase_orders_open ON purchase_orders (batch_id, supplier_id)
    WHERE state NOT IN ('rejected', 'cancelled', 'replaced', 'closed');
CREATE INDEX purchase_orders_by_batch ON purchase_orders (batch_id, id);

-- What was promised to one shopper. cancels_after: at the end of that day what is unshipped is cancelled and refunded.
CREATE TABLE promises (
    order_id BYTEA PRIMARY KEY NOT NULL REFERENCES orders (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    first_date DATE NOT NULL,
    agreed_date DATE,
    open_ended BOOLEAN NOT NULL DEFAULT FALSE,
    stop_loss DATE NOT NULL,
    cancels_after DATE,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX promises_by_batch ON promises (batch_id, order_id);
CREATE INDEX promises_by_end ON promises (batch_id, cancels_after, order_id);
INSERT INTO promises (order_id, campaign_id, batch_id, first_date, stop_loss, updated_at)
    SELECT o.id, o.campaign_id, o.batch_id,
        CAST(COALESCE(CAST(o.quote AS json) ->> 'promised', CAST(c.spec AS json) ->> 'promised_ship_date') AS date),
        CAST(CAST(c.spec AS json) ->> 'stop_loss_date' AS date), o.created_at
    FROM orders o JOIN campaigns c ON c.id = o.campaign_id
    WHERE o.state IN ('confirmed', 'backordered', 'cancelled') AND o.confirmed_at IS NOT NULL;

-- One notice to one shopper that a date moved, with what was answered.
CREATE TABLE notices (
    id BYTEA PRIMARY KEY NOT NULL,
    order_id BYTEA NOT NULL REFERENCES orders (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    eta_id BYTEA REFERENCES etas (id),
    kind TEXT NOT NULL CHECK (kind IN ('first', 'renewed', 'told')),
    state TEXT NOT NULL CHECK (state IN ('prepared', 'sent', 'undelivered')),
    replaces DATE NOT NULL,
    revised DATE,
    stop_loss DATE,
    reason TEXT NOT NULL,
    sent_by TEXT NOT NULL,
    silence TEXT CHECK (silence IN ('agrees', 'cancels')),
    last_day DATE,
    waited_at TIMESTAMP,
    cancelled_at TIMESTAMP,
    answered_from TEXT,
    mail_id BYTEA REFERENCES mails (id),
    prepared_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    CHECK ((silence IS NULL) = (last_day IS NULL))
);
CREATE INDEX notices_by_order ON notices (order_id, id);
CREATE INDEX notices_by_batch ON notices (batch_id, id);
CREATE UNIQUE INDEX notices_once ON notices (order_id, eta_id) WHERE eta_id IS NOT NULL;
CREATE INDEX notices_by_mail ON notices (mail_id);

-- What of a batch is where, by option. ordered: on purchase orders that stand. restocked and scrapped: what came back.
CREATE TABLE batch_stock (
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    ordered BIGINT NOT NULL DEFAULT 0 CHECK (ordered >= 0),
    good BIGINT NOT NULL DEFAULT 0 CHECK (good >= 0),
    damaged BIGINT NOT NULL DEFAULT 0 CHECK (damaged >= 0),
    short BIGINT NOT NULL DEFAULT 0 CHECK (short >= 0),
    allocated BIGINT NOT NULL DEFAULT 0 CHECK (allocated >= 0),
    reshipped BIGINT NOT NULL DEFAULT 0 CHECK (reshipped >= 0),
    restocked BIGINT NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    scrapped BIGINT NOT NULL DEFAULT 0 CHECK (scrapped >= 0),
    on_sale BIGINT NOT NULL DEFAULT 0 CHECK (on_sale >= 0),
    PRIMARY KEY (batch_id, option_id),
    CHECK (allocated + reshipped <= good + restocked),
    CHECK (allocated + reshipped + on_sale <= good + restocked)
);

-- A counted arrival. once: the caller's key, so that a count is kept once.
CREATE TABLE receipts (
    id BYTEA PRIMARY KEY NOT NULL,
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    purchase_order_id BYTEA REFERENCES purchase_orders (id),
    number INTEGER NOT NULL,
    counted_by TEXT NOT NULL,
    note TEXT,
    once TEXT UNIQUE,
    counted_at TIMESTAMP NOT NULL,
    UNIQUE (batch_id, number)
);
CREATE TABLE receipt_lines (
    receipt_id BYTEA NOT NULL REFERENCES receipts (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    good BIGINT NOT NULL CHECK (good >= 0),
    damaged BIGINT NOT NULL CHECK (damaged >= 0),
    PRIMARY KEY (receipt_id, option_id)
);

-- Units given to lines, or taken back (negative), with the reason.
CREATE TABLE allocations (
    id BYTEA PRIMARY KEY NOT NULL,
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    order_id BYTEA NOT NULL REFERENCES orders (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    units BIGINT NOT NULL CHECK (units <> 0),
    why TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX allocations_by_order ON allocations (order_id, id);

-- Orders that staff put first, with the reason.
CREATE TABLE order_priorities (
    order_id BYTEA PRIMARY KEY NOT NULL REFERENCES orders (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);

-- A parcel to one shopper.
CREATE TABLE shipments (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    order_id BYTEA NOT NULL REFERENCES orders (id),
    number BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('order', 'reship')),
    state TEXT NOT NULL CHECK (state IN ('picked', 'stopped', 'handed_over', 'delivered', 'lost', 'returned')),
    claim_id BYTEA,
    carrier TEXT,
    tracking_number TEXT,
    picked_at TIMESTAMP NOT NULL,
    picked_by TEXT NOT NULL,
    handed_over_at TIMESTAMP,
    recorded_at TIMESTAMP,
    delivered_at TIMESTAMP,
    delivered_by TEXT CHECK (delivered_by IN ('carrier', 'staff', 'shopper', 'assumed')),
    stopped_at TIMESTAMP,
    UNIQUE (merchant_id, number),
    CHECK (state IN ('picked', 'stopped') OR handed_over_at IS NOT NULL)
);
CREATE INDEX shipments_by_order ON shipments (order_id, id);
CREATE INDEX shipments_by_batch ON shipments (batch_id, state, id);
CREATE INDEX shipments_by_handover ON shipments (state, handed_over_at);
CREATE TABLE shipment_lines (
    shipment_id BYTEA NOT NULL REFERENCES shipments (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    units BIGINT NOT NULL CHECK (units > 0),
    PRIMARY KEY (shipment_id, option_id)
);

-- What went wrong after the door, and withdrawals from the contract.
CREATE TABLE claims (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    order_id BYTEA NOT NULL REFERENCES orders (id),
    shipment_id BYTEA REFERENCES shipments (id),
    kind TEXT NOT NULL CHECK (kind IN ('lost', 'damaged', 'wrong', 'returned', 'refused', 'withdrawal')),
    state TEXT NOT NULL CHECK (state IN ('open', 'awaiting_return', 'returned', 'resolved')),
    reported_by TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    return_sent_at TIMESTAMP,
    return_proof TEXT,
    returned_at TIMESTAMP,
    refund_by DATE,
    outcome TEXT CHECK (outcome IN ('reship', 'refund', 'partial_refund', 'refused')),
    outcome_reason TEXT,
    amount BIGINT CHECK (amount >= 0),
    resolved_by TEXT,
    resolved_at TIMESTAMP,
    CHECK ((state = 'resolved') = (outcome IS NOT NULL))
);
CREATE INDEX claims_by_order ON claims (order_id, id);
CREATE INDEX claims_by_merchant ON claims (merchant_id, state, id);
CREATE TABLE claim_lines (
    claim_id BYTEA NOT NULL REFERENCES claims (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    units BIGINT NOT NULL CHECK (units > 0),
    restocked BIGINT NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    scrapped BIGINT NOT NULL DEFAULT 0 CHECK (scrapped >= 0 AND restocked + scrapped <= units),
    PRIMARY KEY (claim_id, option_id)
);
CREATE TABLE claim_photos (
    id BYTEA PRIMARY KEY NOT NULL,
    claim_id BYTEA NOT NULL REFERENCES claims (id),
    file TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX claim_photos_by_claim ON claim_photos (claim_id, id);

-- What the merchant writes to everybody who joined.
CREATE TABLE posts (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    written_by TEXT NOT NULL,
    posted_at TIMESTAMP NOT NULL
);
CREATE INDEX posts_by_campaign ON posts (campaign_id, id);

-- Further reasons why money goes back; of some an order may have several refunds.
ALTER TABLE refunds DROP CONSTRAINT refunds_purpose_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_purpose_check CHECK (purpose IN ('missed', 'cancelled', 'shortfall', 'supplier',
    'stop-loss', 'difference', 'shopper', 'late', 'dispute', 'goodwill', 'delay', 'short', 'dropped', 'change', 'withdrawal',
    'returned', 'claim', 'replaced'));
DROP INDEX refunds_once;
UPDATE refunds SET purpose = 'replaced' WHERE purpose = 'goodwill' AND state = 'dropped';
-- A shopper gets each of these once per payment: what cannot repeat by mistake. The others follow from what is kept.
CREATE UNIQUE INDEX refunds_once ON refunds (order_id, payment_attempt, purpose)
    WHERE purpose IN ('missed', 'cancelled', 'shortfall', 'supplier', 'difference', 'shopper', 'late', 'dispute');
