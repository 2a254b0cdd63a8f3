# The methods that are compared, and where their runs lie.


from multilabel.experiments.comparison.names import FREQUENCIES, PLACE

COMPARISON = f"{RESULTS}/{PLACE}"
comparison_reported = reporter("comparison")
METHODS = CONFIG.compared_methods if CONFIG.dataset.validation.fraction else {}
COMPARED_RUNS = [run for method in METHODS.values() for candidate in method.candidates for run in candidate]
FIRST_RUNS = [candidate[0] for method in METHODS.values() for candidate in method.candidates]
IN_GALLERY = {name: METHODS[name] for name in CONFIG.comparison.gallery or METHODS if name in METHODS}


def of_results(paths):
    """Paths below the results, each once."""
    return [f"{RESULTS}/{path}" for path in dict.fromkeys(filter(None, paths))]
