"""What localaws does not answer itself: moto in process (backend), made durable (journal), behind a seam (service)."""
