select 1;
.mode csv
