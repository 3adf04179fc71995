-- Payments that are no page, cards that are saved, and refusals.
ALTER TABLE payments DROP CONSTRAINT payments_state_check;
ALTER TABLE payments ADD CONSTRAINT payments_state_check CHECK (state IN ('planned', 'open', 'processing', 'paid', 'saved',
    'declined', 'expired', 'abandoned', 'refused'));
ALTER TABLE payments DROP CONSTRAINT payments_amount_check;
ALTER TABLE payments ADD CONSTRAINT payments_amount_check CHECK (amount >= 0);
ALTER TABLE payments ADD COLUMN kind TEXT NOT NULL DEFAULT 'join'
    CHECK (kind IN ('join', 'setup', 'deposit', 'charge', 'fix', 'change'));
ALTER TABLE payments ADD COLUMN looked_at TIMESTAMP;
ALTER TABLE refunds DROP CONSTRAINT refunds_purpose_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_purpose_check CHECK (purpose IN ('missed', 'cancelled', 'shortfall', 'supplier',
    'stop-loss', 'difference', 'shopper', 'late', 'dispute', 'goodwill', 'delay', 'short', 'dropped', 'change',
    'withdrawal', 'returned', 'claim', 'replaced', 'balance'));

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
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    committed BIGINT NOT NULL CHECK (committed >= 0),
    PRIMARY KEY (campaign_id, step)
);

-- Cards kept at the provider for one order each. unwanted: to be taken from its customer there.
CREATE TABLE saved_cards (
    method_id TEXT PRIMARY KEY NOT NULL,
    order_id BYTEA NOT NULL REFERENCES orders (id),
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
    order_id BYTEA PRIMARY KEY NOT NULL REFERENCES orders (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
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
