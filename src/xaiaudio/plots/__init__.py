"""Every figure of the book.

Each function returns a plain :class:`matplotlib.figure.Figure` with one attribute more: ``data``, a
dict of the numbers that the figure shows. Time is in seconds, frequency in hertz on a mel scale.
Spectrograms use a perceptually uniform colour map, signed maps a diverging one with zero in the
middle; panels that are compared share one scale.
"""

from .agreement import agreement, bands
from .archives import class_profiles, map_groups
from .attention import attention_against, moments
from .charts import class_shares, confusion, confusion_pair, label_counts, training_curves
from .cheats import cause, networks
from .clips import clip_maps
from .concept_scores import concept_scores, predicted_changes
from .concepts import atoms
from .decoders import bin_masks, code_use, loss_terms
from .gallery import gallery, masked, steps
from .heard_parts import additions, cell_additions, pictures, timeline
from .knowledge import known_by_layer
from .leaderboard import leaderboard, leaderboard_intervals
from .luck import designs, errors, part_weights
from .maps import class_comparison, comparison, plot
from .measures import breakdown, curves, mixture, orders
from .memory import against_refits, alarms, beside_nearest, shares
from .mood import effects
from .notes import energy_shares, templates, transcription
from .overview import overview
from .pairs import pair
from .price import prices
from .prototypes import alike, radius, sums, together
from .qualities import quality_bars, signed_table
from .recurrent import in_time, mean_curves
from .relevance import conservation, layer_plan, neurons, relevance_flow, rule_shares
from .responses import answers_of_two, responses
from .sanity import forgetting, likeness_curves, likeness_dots, likeness_table
from .segments import segments
from .sounds import clip_spectrogram, clip_spectrograms, filterbank, spectrograms, waveform
from .sources import by_source, source_averages
from .sparse import firing_places, ranked, taken_out
from .speech import aligned, amounts
from .stability import changes, named_segments, settling
from .steering import turned
from .strip import strip
from .synthesiser import fitting, level_changes, pitch_search, taken_apart, three_levels
from .testing import calibration, intervals, patch_scores
from .trees import family_tree
from .voices import formants, rooms, sensitivity, separated
from .waveforms import band_shares, filters, samples

__all__ = [
    "additions",
    "against_refits",
    "agreement",
    "alarms",
    "aligned",
    "alike",
    "amounts",
    "atoms",
    "answers_of_two",
    "attention_against",
    "band_shares",
    "bands",
    "bin_masks",
    "beside_nearest",
    "breakdown",
    "by_source",
    "calibration",
    "cause",
    "cell_additions",
    "changes",
    "class_comparison",
    "class_profiles",
    "class_shares",
    "clip_maps",
    "clip_spectrogram",
    "clip_spectrograms",
    "code_use",
    "comparison",
    "concept_scores",
    "confusion",
    "confusion_pair",
    "conservation",
    "curves",
    "designs",
    "energy_shares",
    "errors",
    "effects",
    "errors",
    "family_tree",
    "filterbank",
    "filters",
    "fitting",
    "firing_places",
    "forgetting",
    "formants",
    "gallery",
    "in_time",
    "intervals",
    "known_by_layer",
    "label_counts",
    "layer_plan",
    "leaderboard",
    "leaderboard_intervals",
    "level_changes",
    "likeness_curves",
    "likeness_dots",
    "likeness_table",
    "loss_terms",
    "masked",
    "map_groups",
    "mean_curves",
    "mixture",
    "moments",
    "named_segments",
    "networks",
    "neurons",
    "orders",
    "overview",
    "pair",
    "part_weights",
    "patch_scores",
    "pictures",
    "pitch_search",
    "plot",
    "predicted_changes",
    "prices",
    "quality_bars",
    "radius",
    "ranked",
    "relevance_flow",
    "rule_shares",
    "responses",
    "rooms",
    "samples",
    "segments",
    "sensitivity",
    "separated",
    "settling",
    "shares",
    "signed_table",
    "source_averages",
    "spectrograms",
    "steps",
    "strip",
    "taken_apart",
    "taken_out",
    "templates",
    "three_levels",
    "timeline",
    "sums",
    "together",
    "training_curves",
    "transcription",
    "turned",
    "waveform",
]
