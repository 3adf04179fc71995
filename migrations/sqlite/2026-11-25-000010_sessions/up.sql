-- Rises when a person logs out: a session holds the number it began with, and ends with it.
ALTER TABLE staff ADD COLUMN sessions BIGINT NOT NULL DEFAULT 0;
