"""Every method on one dataset, in one table: on the same images, with the same rules of choice and the same metrics."""
