-- This connection refuses to change data.
PRAGMA query_only = ON
