SET lock_timeout TO 0;
