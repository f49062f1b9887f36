-- Opens a transaction and takes the write lock at once: nobody else can write until it ends.
BEGIN IMMEDIATE
