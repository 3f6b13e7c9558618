"""Reports: what the tables and the store tell a person. They read and draw; they decide nothing."""
