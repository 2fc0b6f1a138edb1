"""Records, suites, claims and what a post can say of them; no page is known here."""
