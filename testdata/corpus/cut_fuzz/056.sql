select 1;
  .read x.sql