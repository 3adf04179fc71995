-- The work that was put down is done as any other.
SELECT 1;
