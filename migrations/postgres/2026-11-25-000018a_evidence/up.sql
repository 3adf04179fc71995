-- What was answered to a dispute: frozen before it is sent, sent under its key, and the outcome. Sent once; what was only
-- laid down at the provider, or refused by it, may be followed by more.
CREATE TABLE dispute_evidence (
    dispute_id TEXT NOT NULL REFERENCES disputes (provider_id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    state TEXT NOT NULL CHECK (state IN ('planned', 'sent', 'done', 'absent', 'refused')),
    submits BOOLEAN NOT NULL,
    content TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    prepared_by TEXT NOT NULL,
    problem TEXT,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    done_at TIMESTAMP,
    PRIMARY KEY (dispute_id, attempt)
);
CREATE UNIQUE INDEX dispute_evidence_sent_once ON dispute_evidence (dispute_id)
    WHERE submits AND state IN ('planned', 'sent', 'done');

-- Until when the provider takes an answer.
ALTER TABLE disputes ADD COLUMN due_by TIMESTAMP;
