/* a comment */ ALTER TABLE "Odd Schema"."select" -- and another
    RENAME "Full ""Name""" TO "and this one is cut, since it has more than the sixty-three bytes that a name can have";
ALTER TABLE "Odd Schema"."t" RENAME COLUMN "order" TO "$migrate$";
