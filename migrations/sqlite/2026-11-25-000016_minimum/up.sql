-- How a judgement came about, as JSON: round by round the units that counted, the step, and the options that fell under
-- their minimum and are not produced.
ALTER TABLE batches ADD COLUMN why TEXT;
