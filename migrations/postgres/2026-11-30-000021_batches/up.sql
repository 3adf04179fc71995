-- Further batches of one campaign: why a batch failed is the batch's own, and what was paid for when it was judged stays
-- with it.
ALTER TABLE batches ADD COLUMN failure TEXT
    CHECK (failure IN ('missed', 'cancelled', 'shortfall', 'supplier', 'stop-loss'));
ALTER TABLE batches ADD COLUMN failure_note TEXT;
ALTER TABLE batches ADD COLUMN orders_paid BIGINT NOT NULL DEFAULT 0 CHECK (orders_paid >= 0);
UPDATE batches SET
    failure = (SELECT failure FROM campaigns WHERE campaigns.id = batches.campaign_id),
    failure_note = (SELECT failure_note FROM campaigns WHERE campaigns.id = batches.campaign_id)
    WHERE state = 'failed';
