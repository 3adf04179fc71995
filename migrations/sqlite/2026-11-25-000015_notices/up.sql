-- Who cancelled by a notice, beside who had said to wait; a later stop-loss date that shoppers are asked about.
ALTER TABLE notices ADD COLUMN cancelled_from TEXT;
ALTER TABLE etas ADD COLUMN stop_loss DATE;

-- Batches of which the merchant said that the rest will not be shipped: all of it is refunded at once.
CREATE TABLE given_up (
    batch_id BLOB PRIMARY KEY NOT NULL REFERENCES batches (id),
    reason TEXT NOT NULL,
    given_up_by TEXT NOT NULL,
    at TIMESTAMP NOT NULL
);

CREATE INDEX promises_by_stop_loss ON promises (batch_id, stop_loss, order_id);

-- Orders older than the notices: nobody was sent any, so the last day is the promised one.
UPDATE promises SET cancels_after = first_date
    WHERE cancels_after IS NULL AND agreed_date IS NULL AND open_ended = FALSE;
