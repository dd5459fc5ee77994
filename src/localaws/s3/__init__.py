"""S3: objects as plain files, committed by one transaction with the event that they cause. service.py has the map."""
