CREATE INDEX command_by_time ON command (ran_at);
