"""The fleet: numbered phones, jobs, quotas, archive and violations."""
