"""What several test modules share: servers, stores, samples."""
