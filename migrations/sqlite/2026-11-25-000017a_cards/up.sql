-- Payments that are no page, cards that are saved, and refusals.
CREATE TEMPORARY TABLE kept_payments AS SELECT * FROM payments;
CREATE TEMPORARY TABLE kept_refunds AS SELECT * FROM refunds;
CREATE TEMPORARY TABLE kept_attempts AS SELECT * FROM refund_attempts;
DROP TABLE refund_attempts;
DROP TABLE refunds;
DROP TABLE payments;
CREATE TABLE payments (
    order_id BLOB NOT NULL REFERENCES orders (id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'processing', 'paid', 'saved', 'declined', 'expired', 'abandoned',
        'refused')),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    idempotency_key TEXT NOT NULL,
    planned_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    session_id TEXT,
    url TEXT,
    intent_id TEXT,
    close_wanted BOOLEAN NOT NULL DEFAULT FALSE,
    problem TEXT,
    settled_at TIMESTAMP,
    kind TEXT NOT NULL DEFAULT 'join' CHECK (kind IN ('join', 'setup', 'deposit', 'charge', 'fix', 'change')),
    looked_at TIMESTAMP,
    PRIMARY KEY (order_id, attempt)
);
CREATE TABLE refunds (
    id BLOB PRIMARY KEY NOT NULL,
    order_id BLOB NOT NULL REFERENCES orders (id),
    payment_attempt INTEGER NOT NULL,
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('missed', 'cancelled', 'shortfall', 'supplier', 'stop-loss', 'difference',
        'shopper', 'late', 'dispute', 'goodwill', 'delay', 'short', 'dropped', 'change', 'withdrawal', 'returned',
        'claim', 'replaced', 'balance')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'pending', 'succeeded', 'failed', 'paid_otherwise', 'dropped')),
    held BOOLEAN NOT NULL DEFAULT FALSE,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    failures INTEGER NOT NULL DEFAULT 0,
    proof TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    FOREIGN KEY (order_id, payment_attempt) REFERENCES payments (order_id, attempt)
);
CREATE TABLE refund_attempts (
    refund_id BLOB NOT NULL REFERENCES refunds (id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    state TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'unknown', 'absent', 'pending', 'succeeded', 'failed')),
    idempotency_key TEXT NOT NULL UNIQUE,
    provider_id TEXT,
    problem TEXT,
    first_sent_at TIMESTAMP,
    looked_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (refund_id, attempt)
);
INSERT INTO payments (order_id, attempt, state, amount, idempotency_key, planned_at, expires_at, sent_at, session_id, url,
    intent_id, close_wanted, problem, settled_at)
    SELECT order_id, attempt, state, amount, idempotency_key, planned_at, expires_at, sent_at, session_id, url,
        intent_id, close_wanted, problem, settled_at FROM kept_payments;
INSERT INTO refunds SELECT * FROM kept_refunds;
INSERT INTO refund_attempts SELECT * FROM kept_attempts;
DROP TABLE kept_payments;
DROP TABLE kept_refunds;
DROP TABLE kept_attempts;
CREATE UNIQUE INDEX payments_by_session ON payments (session_id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX payments_by_intent ON payments (intent_id) WHERE intent_id IS NOT NULL;
CREATE INDEX payments_by_state ON payments (state, planned_at, order_id);
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refunds_by_campaign ON refunds (campaign_id, state);
-- A shopper gets each of these once per payment: what cannot repeat by mistake. The others follow from what is kept.
CREATE UNIQUE INDEX refunds_once ON refunds (order_id, payment_attempt, purpose)
    WHERE purpose IN ('missed', 'cancelled', 'shortfall', 'supplier', 'difference', 'shopper', 'late', 'dispute');
CREATE UNIQUE INDEX refund_attempts_by_provider ON refund_attempts (provider_id) WHERE provider_id IS NOT NULL;

-- How an order is paid (domain section 4). owed: what of its price was not collected yet; forfeited: a deposit that the
-- merchant keeps; collected: whether its units count as paid for; limit_step: it is in only if this step is reached.
ALTER TABLE orders ADD COLUMN mode TEXT NOT NULL DEFAULT 'charge_now'
    CHECK (mode IN ('charge_now', 'charge_on_success', 'deposit'));
ALTER TABLE orders ADD COLUMN limit_step INTEGER NOT NULL DEFAULT 0 CHECK (limit_step >= 0);
ALTER TABLE orders ADD COLUMN collected BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE orders ADD COLUMN owed BIGINT NOT NULL DEFAULT 0 CHECK (owed >= 0);
ALTER TABLE orders ADD COLUMN forfeited BIGINT NOT NULL DEFAULT 0 CHECK (forfeited >= 0);
UPDATE orders SET collected = TRUE WHERE state IN ('confirmed', 'backordered', 'partly_shipped', 'shipped', 'delivered');

-- Committed units by the step that their orders wait for: what a step is reached by.
CREATE TABLE limits (
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    committed BIGINT NOT NULL CHECK (committed >= 0),
    PRIMARY KEY (campaign_id, step)
);

-- Cards kept at the provider for one order each. unwanted: to be taken from its customer there.
CREATE TABLE saved_cards (
    method_id TEXT PRIMARY KEY NOT NULL,
    order_id BLOB NOT NULL REFERENCES orders (id),
    customer_id TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    exp_year INTEGER NOT NULL,
    exp_month INTEGER NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
    state TEXT NOT NULL CHECK (state IN ('saved', 'unwanted', 'detached')),
    saved_at TIMESTAMP NOT NULL,
    expiry_told_at TIMESTAMP,
    detached_at TIMESTAMP
);
CREATE UNIQUE INDEX saved_cards_by_order ON saved_cards (order_id) WHERE state = 'saved';
CREATE INDEX saved_cards_of_order ON saved_cards (order_id);

-- What is collected from an order after joining: its price on success, or the balance of a deposit. reminded: how many
-- letters of the grace window went out.
CREATE TABLE dues (
    order_id BLOB PRIMARY KEY NOT NULL REFERENCES orders (id),
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    batch_id BLOB NOT NULL REFERENCES batches (id),
    kind TEXT NOT NULL CHECK (kind IN ('success', 'balance')),
    state TEXT NOT NULL CHECK (state IN ('announced', 'charging', 'declined', 'paid', 'given_up', 'dropped')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    opened_at TIMESTAMP NOT NULL,
    charge_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    reminded INTEGER NOT NULL DEFAULT 0,
    decline TEXT CHECK (decline IN ('soft', 'authentication', 'hard')),
    said TEXT,
    closed_at TIMESTAMP
);
CREATE INDEX dues_by_batch ON dues (batch_id, state);

-- Collecting with saved cards: when it began and ended; while too little was collected, until when the merchant may buy
-- what is missing.
ALTER TABLE batches ADD COLUMN collecting_since TIMESTAMP;
ALTER TABLE batches ADD COLUMN collected_at TIMESTAMP;
ALTER TABLE batches ADD COLUMN short_until TIMESTAMP;
