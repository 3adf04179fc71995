-- Campaigns that asked who would buy before the end of asking was work of its own: their staff are told at the deadline, too.
INSERT INTO jobs (kind, subject, run_at, priority, created_at)
    SELECT 'campaign', substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(h, 13, 4) || '-' || substr(h, 17, 4)
        || '-' || substr(h, 21), at, 20, at
    FROM (SELECT lower(encode(c.id, 'hex')) AS h, c.deadline AS at FROM campaigns c WHERE c.state = 'interest') AS asking
    WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'campaign' AND j.subject =
        substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-' || substr(h, 13, 4) || '-' || substr(h, 17, 4) || '-' || substr(h, 21));
