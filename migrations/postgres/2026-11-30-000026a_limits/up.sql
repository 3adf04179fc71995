-- Committed units that wait for a step are counted by option, so that goods value before cards are charged is read from counters.
CREATE TABLE new_limits (
    campaign_id BYTEA NOT NULL REFERENCES campaigns (id),
    option_id BYTEA NOT NULL REFERENCES options (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    committed BIGINT NOT NULL CHECK (committed >= 0),
    PRIMARY KEY (campaign_id, option_id, step)
);
INSERT INTO new_limits (campaign_id, option_id, step, committed)
    SELECT o.campaign_id, l.option_id, o.limit_step, SUM(l.quantity - l.cancelled)
    FROM orders o INNER JOIN order_lines l ON l.order_id = o.id
    WHERE o.mode = 'charge_on_success' AND o.state IN ('confirmed', 'backordered', 'partly_shipped', 'shipped', 'delivered')
    GROUP BY o.campaign_id, l.option_id, o.limit_step;
DROP TABLE limits;
ALTER TABLE new_limits RENAME TO limits;
