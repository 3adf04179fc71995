-- Ids are UUID v7 as bytes; money is whole minor units; times are UTC; states are the words of the domain.

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE merchants (
    id BYTEA PRIMARY KEY NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    imprint TEXT NOT NULL DEFAULT '',
    terms TEXT NOT NULL DEFAULT '',
    privacy TEXT NOT NULL DEFAULT '',
    terms_version INTEGER NOT NULL DEFAULT 0,
    payouts_manual BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE staff (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'fulfilment', 'viewer')),
    password_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE api_keys (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    key_hash BYTEA NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL
);

-- Documents and orders are numbered without gaps from these rows, in the transaction that issues them.
CREATE TABLE counters (
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    kind TEXT NOT NULL,
    value BIGINT NOT NULL CHECK (value >= 0),
    PRIMARY KEY (merchant_id, kind)
);

CREATE TABLE suppliers (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    currency TEXT NOT NULL,
    lead_time_days INTEGER NOT NULL CHECK (lead_time_days >= 0),
    minimum_units BIGINT CHECK (minimum_units > 0),
    capacity_units BIGINT CHECK (capacity_units > 0),
    case_pack BIGINT NOT NULL DEFAULT 1 CHECK (case_pack > 0),
    unit_costs TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX suppliers_by_merchant ON suppliers (merchant_id, id);

-- spec: the checked offer (options, prices, threshold, tariff ...) as JSON. The columns beside it are what is asked for.
CREATE TABLE campaigns (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    slug TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'interest', 'scheduled', 'open', 'collecting', 'ordered',
        'fulfilling', 'completed', 'failed')),
    failure TEXT CHECK (failure IN ('missed', 'cancelled', 'shortfall', 'supplier', 'stop-loss')),
    failure_note TEXT,
    spec TEXT NOT NULL,
    opens_at TIMESTAMP,
    deadline TIMESTAMP NOT NULL,
    extended_at TIMESTAMP,
    closed_at TIMESTAMP,
    published_at TIMESTAMP,
    first_order_at TIMESTAMP,
    waiting_for TEXT,
    orders BIGINT NOT NULL DEFAULT 0,
    open_payments BIGINT NOT NULL DEFAULT 0 CHECK (open_payments >= 0),
    committed_units BIGINT NOT NULL DEFAULT 0 CHECK (committed_units >= 0),
    collected_units BIGINT NOT NULL DEFAULT 0 CHECK (collected_units >= 0),
    collected_orders BIGINT NOT NULL DEFAULT 0 CHECK (collected_orders >= 0),
    best_step_told INTEGER NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'failed') = (failure IS NOT NULL))
);
CREATE INDEX campaigns_by_merchant ON campaigns (merchant_id, id);
CREATE INDEX campaigns_by_state ON campaigns (state, deadline);

-- taken: units of holds and of confirmed orders; committed: of confirmed ones; collected: of paid ones.
CREATE TABLE options (
    id BYTEA PRIMARY KEY NOT NULL,
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    position INTEGER NOT NULL,
    sku TEXT NOT NULL,
    cap BIGINT CHECK (cap > 0),
    taken BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0),
    committed BIGINT NOT NULL DEFAULT 0 CHECK (committed >= 0),
    collected BIGINT NOT NULL DEFAULT 0 CHECK (collected >= 0),
    UNIQUE (campaign_id, sku),
    CHECK (cap IS NULL OR taken <= cap),
    CHECK (committed <= taken AND collected <= committed)
);

CREATE TABLE pictures (
    id BYTEA PRIMARY KEY NOT NULL,
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    position INTEGER NOT NULL,
    file TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    alt TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX pictures_by_campaign ON pictures (campaign_id, position);

CREATE TABLE batches (
    id BYTEA PRIMARY KEY NOT NULL,
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('gathering', 'collecting', 'ordered', 'fulfilling', 'completed', 'failed')),
    step INTEGER,
    judged_at TIMESTAMP,
    units_paid BIGINT NOT NULL DEFAULT 0 CHECK (units_paid >= 0),
    settled_at TIMESTAMP,
    blocked TEXT,
    blocked_since TIMESTAMP,
    blocked_warned INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign_id, number)
);

-- quote: unit prices, shipping, tax and the tariff as frozen at joining, as JSON.
CREATE TABLE orders (
    id BYTEA PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'waitlisted', 'backordered', 'partly_shipped',
        'shipped', 'delivered', 'cancelled', 'expired')),
    payment_state TEXT NOT NULL CHECK (payment_state IN ('unpaid', 'saved', 'deposit_paid', 'paid', 'refunding',
        'partly_refunded', 'refunded', 'failed', 'disputed')),
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    country TEXT NOT NULL,
    delivery TEXT NOT NULL CHECK (delivery IN ('one_parcel', 'as_available')),
    currency TEXT NOT NULL,
    units BIGINT NOT NULL CHECK (units > 0),
    quote TEXT NOT NULL,
    total BIGINT NOT NULL CHECK (total > 0),
    final_total BIGINT CHECK (final_total >= 0),
    charged BIGINT NOT NULL DEFAULT 0 CHECK (charged >= 0),
    refund_due BIGINT NOT NULL DEFAULT 0 CHECK (refund_due >= 0),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    lost BIGINT NOT NULL DEFAULT 0 CHECK (lost >= 0),
    units_taken BOOLEAN NOT NULL,
    settled BOOLEAN NOT NULL DEFAULT FALSE,
    hold_expires_at TIMESTAMP NOT NULL,
    terms_version INTEGER NOT NULL,
    joined_from TEXT NOT NULL,
    form_key TEXT,
    note TEXT,
    created_at TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP,
    closed_at TIMESTAMP,
    UNIQUE (merchant_id, number),
    CHECK (refund_due + refunded + lost <= charged)
);
CREATE INDEX orders_by_batch ON orders (batch_id, id);
CREATE INDEX orders_by_shopper ON orders (campaign_id, email);
CREATE UNIQUE INDEX orders_by_form ON orders (campaign_id, form_key) WHERE form_key IS NOT NULL;

CREATE TABLE order_lines (
    order_id BYTEA NOT NULL REFERENCES orders (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    sku TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_price BIGINT NOT NULL CHECK (unit_price > 0),
    final_price BIGINT CHECK (final_price >= 0 AND final_price <= unit_price),
    state TEXT NOT NULL CHECK (state IN ('held', 'confirmed', 'dropped', 'backordered', 'allocated', 'picked',
        'shipped', 'delivered', 'cancelled', 'refunded')),
    PRIMARY KEY (order_id, option_id)
);

-- One row, one payment page at the provider, one key. A new attempt is a new row.
CREATE TABLE payments (
    order_id BYTEA NOT NULL REFERENCES orders (id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'processing', 'paid', 'expired', 'abandoned', 'refused')),
    amount BIGINT NOT NULL CHECK (amount > 0),
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
    PRIMARY KEY (order_id, attempt)
);
CREATE UNIQUE INDEX payments_by_session ON payments (session_id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX payments_by_intent ON payments (intent_id) WHERE intent_id IS NOT NULL;

CREATE TABLE refunds (
    id BYTEA PRIMARY KEY NOT NULL,
    order_id BYTEA NOT NULL REFERENCES orders (id),
    payment_attempt INTEGER NOT NULL,
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('missed', 'cancelled', 'shortfall', 'supplier', 'stop-loss', 'difference',
        'shopper', 'late', 'dispute', 'goodwill')),
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
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refunds_by_campaign ON refunds (campaign_id, state);
-- A shopper gets each kind of refund once per payment: what cannot repeat by mistake.
CREATE UNIQUE INDEX refunds_once ON refunds (order_id, payment_attempt, purpose) WHERE purpose <> 'goodwill';

-- One row, one call that may move money, one key.
CREATE TABLE refund_attempts (
    refund_id BYTEA NOT NULL REFERENCES refunds (id),
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
CREATE UNIQUE INDEX refund_attempts_by_provider ON refund_attempts (provider_id) WHERE provider_id IS NOT NULL;

CREATE TABLE disputes (
    provider_id TEXT PRIMARY KEY NOT NULL,
    order_id BYTEA NOT NULL REFERENCES orders (id),
    amount BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('inquiry', 'open', 'won', 'lost')),
    provider_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_at TIMESTAMP NOT NULL,
    closed_at TIMESTAMP
);
CREATE INDEX disputes_by_order ON disputes (order_id);

CREATE TABLE purchase_orders (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    batch_id BYTEA NOT NULL REFERENCES batches (id),
    supplier_id BYTEA REFERENCES suppliers (id),
    number BIGINT,
    version INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sent', 'acknowledged', 'in_production', 'in_transit',
        'partly_received', 'received', 'closed', 'rejected', 'cancelled', 'replaced')),
    units BIGINT NOT NULL CHECK (units >= 0),
    units_paid BIGINT NOT NULL CHECK (units_paid >= 0),
    document TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    acknowledged_at TIMESTAMP,
    note TEXT,
    UNIQUE (merchant_id, number, version),
    CHECK (state = 'draft' OR state = 'cancelled' OR (number IS NOT NULL AND sent_at IS NOT NULL)),
    CHECK (units >= units_paid)
);
CREATE UNIQUE INDEX purchase_orders_open ON purchase_orders (batch_id) WHERE state NOT IN ('rejected', 'cancelled', 'replaced');

-- The journal: append-only double entry. once: what makes an entry unrepeatable.
CREATE TABLE journal_entries (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA REFERENCES campaigns (id),
    order_id BYTEA REFERENCES orders (id),
    currency TEXT NOT NULL,
    kind TEXT NOT NULL,
    once TEXT NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX journal_entries_by_campaign ON journal_entries (campaign_id, id);
CREATE INDEX journal_entries_by_order ON journal_entries (order_id);

CREATE TABLE journal_postings (
    entry_id BYTEA NOT NULL REFERENCES journal_entries (id),
    position INTEGER NOT NULL,
    account TEXT NOT NULL CHECK (account IN ('provider_clearing', 'provider_balance', 'provider_fees',
        'customer_deposits', 'refunds_due', 'revenue_goods', 'revenue_shipping', 'tax_payable', 'disputes_held',
        'dispute_losses', 'forfeited', 'allowances', 'merchant_loss', 'supplier_payable', 'bank')),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (entry_id, position)
);

CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    done_at TIMESTAMP,
    outcome TEXT
);
CREATE INDEX webhook_events_open ON webhook_events (received_at) WHERE done_at IS NULL;

-- wanted counts requests: work asked for again while it runs is not lost when it ends.
CREATE TABLE jobs (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    run_at TIMESTAMP NOT NULL,
    priority INTEGER NOT NULL,
    wanted BIGINT NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    leased_until TIMESTAMP,
    lease BYTEA,
    problem TEXT,
    dead BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE NOT dead;

CREATE TABLE mails (
    id BYTEA PRIMARY KEY NOT NULL,
    once TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    merchant_id BYTEA REFERENCES merchants (id),
    campaign_id BYTEA REFERENCES campaigns (id),
    order_id BYTEA REFERENCES orders (id),
    purchase_order_id BYTEA REFERENCES purchase_orders (id),
    recipient TEXT NOT NULL,
    reply_to TEXT,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    attachments TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'kept', 'refused')),
    problem TEXT,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP
);
CREATE INDEX mails_by_order ON mails (order_id);
CREATE INDEX mails_by_merchant ON mails (merchant_id, id);

-- What happened, for timelines and for staff: one row with each change of state that a person may ask about.
CREATE TABLE happenings (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    campaign_id BYTEA REFERENCES campaigns (id),
    order_id BYTEA REFERENCES orders (id),
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);
CREATE INDEX happenings_by_order ON happenings (order_id, id);
CREATE INDEX happenings_by_campaign ON happenings (campaign_id, id);

-- Answers to keyed POSTs of the API: the same key and body get the same answer.
CREATE TABLE api_answers (
    scope TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status INTEGER,
    body TEXT,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX api_answers_by_age ON api_answers (created_at);

CREATE FUNCTION journal_is_kept() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: correct it by a new entry';
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER journal_entries_kept BEFORE UPDATE OR DELETE ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION journal_is_kept();
CREATE TRIGGER journal_postings_kept BEFORE UPDATE OR DELETE ON journal_postings
    FOR EACH ROW EXECUTE FUNCTION journal_is_kept();
