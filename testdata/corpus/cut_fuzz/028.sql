select 1;
  select E'ab\xff';