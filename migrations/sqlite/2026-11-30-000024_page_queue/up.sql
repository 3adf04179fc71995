-- Pages that wait to be made are counted at every joining, past a hundred thousand charges that wait as well.
CREATE INDEX payments_by_kind ON payments (state, kind);
