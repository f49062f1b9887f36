SET search_path = '';
CREATE TABLE public.users (id bigint PRIMARY KEY, name text);
CREATE TABLE public.orders (id bigint PRIMARY KEY);
COPY public.users (id, name) FROM stdin;
1	ada
\.
