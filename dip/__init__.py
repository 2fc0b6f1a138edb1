"""Deep Image Prior from the paper alone: experiments, an exact engine, and records of its runs."""
