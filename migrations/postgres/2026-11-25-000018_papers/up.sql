-- Receipts and credit notes: frozen when they are issued, numbered without gaps for each merchant and kind. A receipt is
-- of one payment, a credit note of one refund.
CREATE TABLE papers (
    id BYTEA PRIMARY KEY NOT NULL,
    merchant_id BYTEA NOT NULL REFERENCES merchants (id),
    order_id BYTEA NOT NULL REFERENCES orders (id),
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'credit_note')),
    number BIGINT NOT NULL CHECK (number > 0),
    payment_attempt INTEGER NOT NULL,
    refund_id BYTEA REFERENCES refunds (id),
    amount BIGINT NOT NULL CHECK (amount > 0),
    tax BIGINT NOT NULL CHECK (tax >= 0 AND tax <= amount),
    currency TEXT NOT NULL,
    content TEXT NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    CHECK ((kind = 'credit_note') = (refund_id IS NOT NULL)),
    UNIQUE (merchant_id, kind, number)
);
CREATE INDEX papers_by_order ON papers (order_id, id);
CREATE INDEX papers_by_merchant ON papers (merchant_id, id);
CREATE UNIQUE INDEX papers_once_for_a_payment ON papers (order_id, payment_attempt) WHERE kind = 'receipt';
CREATE UNIQUE INDEX papers_once_for_a_refund ON papers (refund_id) WHERE refund_id IS NOT NULL;

-- What was paid before there were papers has none, and neither has what goes back of it.
CREATE TABLE paperless (
    order_id BYTEA NOT NULL REFERENCES orders (id),
    payment_attempt INTEGER NOT NULL,
    PRIMARY KEY (order_id, payment_attempt)
);
INSERT INTO paperless (order_id, payment_attempt) SELECT order_id, attempt FROM payments WHERE state = 'paid';

CREATE FUNCTION papers_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'what is issued stays as it is: correct it by a new paper'; END;
$$;
CREATE TRIGGER papers_kept BEFORE UPDATE OR DELETE ON papers
    FOR EACH ROW EXECUTE FUNCTION papers_are_kept();
