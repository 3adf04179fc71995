-- Whose turn it is among a hundred thousand pieces of work that are due, without looking at all of them.
CREATE INDEX jobs_by_turn ON jobs (dead, priority, run_at);
