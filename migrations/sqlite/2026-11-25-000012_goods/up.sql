-- A correction takes back what was counted wrong: its lines are negative. Units declared short are refunded bit by bit:
-- short_due are those whose lines were not refunded yet.
ALTER TABLE receipts ADD COLUMN correction BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE batch_stock ADD COLUMN short_due BIGINT NOT NULL DEFAULT 0 CHECK (short_due >= 0);
CREATE TEMPORARY TABLE kept_receipt_lines AS SELECT * FROM receipt_lines;
DROP TABLE receipt_lines;
CREATE TABLE receipt_lines (
    receipt_id BLOB NOT NULL REFERENCES receipts (id),
    option_id BLOB NOT NULL REFERENCES options (id),
    good BIGINT NOT NULL,
    damaged BIGINT NOT NULL,
    PRIMARY KEY (receipt_id, option_id)
);
INSERT INTO receipt_lines SELECT * FROM kept_receipt_lines;
DROP TABLE kept_receipt_lines;
CREATE INDEX allocations_by_batch ON allocations (batch_id, id);
