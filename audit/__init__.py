"""Who saw and who changed what: it reads the histories of all apps, keeps who looked, and hands auditors extracts."""
