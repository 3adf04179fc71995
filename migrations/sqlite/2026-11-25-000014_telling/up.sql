-- Updates to everybody who joined, and how long a seller has been quiet.

-- once: the form that wrote it, so that it is written once. recipients: who was to get it then. told_at: when all had
-- been written to.
ALTER TABLE posts ADD COLUMN once TEXT;
ALTER TABLE posts ADD COLUMN recipients BIGINT NOT NULL DEFAULT 0 CHECK (recipients >= 0);
ALTER TABLE posts ADD COLUMN told_at TIMESTAMP;
CREATE UNIQUE INDEX posts_once ON posts (campaign_id, once) WHERE once IS NOT NULL;

-- What was sent stays as it was sent; a correction stands under it.
CREATE TABLE post_corrections (
    id BLOB PRIMARY KEY NOT NULL,
    post_id BLOB NOT NULL REFERENCES posts (id),
    body TEXT NOT NULL,
    once TEXT,
    written_by TEXT NOT NULL,
    written_at TIMESTAMP NOT NULL
);
CREATE INDEX post_corrections_by_post ON post_corrections (post_id, id);
CREATE UNIQUE INDEX post_corrections_once ON post_corrections (post_id, once) WHERE once IS NOT NULL;

-- Campaigns that are with their supplier already: what was last heard is the order that went out, and somebody looks
-- whether more is heard.
UPDATE campaigns SET last_sign_at = (
    SELECT MAX(p.sent_at) FROM purchase_orders p JOIN batches b ON b.id = p.batch_id WHERE b.campaign_id = campaigns.id)
    WHERE state IN ('ordered', 'fulfilling');
INSERT INTO jobs (kind, subject, run_at, priority, created_at)
    SELECT 'quiet', substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(h, 13, 4) || '-' || substr(h, 17, 4)
        || '-' || substr(h, 21), at, 46, at
    FROM (SELECT lower(hex(c.id)) AS h, c.last_sign_at AS at FROM campaigns c
        WHERE c.state IN ('ordered', 'fulfilling') AND c.last_sign_at IS NOT NULL) AS quiet;
