-- A correction takes back what was counted wrong: its lines are negative. Units declared short are refunded bit by bit:
-- short_due are those whose lines were not refunded yet.
ALTER TABLE receipts ADD COLUMN correction BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE batch_stock ADD COLUMN short_due BIGINT NOT NULL DEFAULT 0 CHECK (short_due >= 0);
ALTER TABLE receipt_lines DROP CONSTRAINT receipt_lines_good_check;
ALTER TABLE receipt_lines DROP CONSTRAINT receipt_lines_damaged_check;
CREATE INDEX allocations_by_batch ON allocations (batch_id, id);
