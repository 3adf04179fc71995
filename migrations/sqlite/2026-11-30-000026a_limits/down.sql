CREATE TABLE old_limits (
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    committed BIGINT NOT NULL CHECK (committed >= 0),
    PRIMARY KEY (campaign_id, step)
);
INSERT INTO old_limits (campaign_id, step, committed)
    SELECT campaign_id, step, SUM(committed) FROM limits GROUP BY campaign_id, step;
DROP TABLE limits;
ALTER TABLE old_limits RENAME TO limits;
