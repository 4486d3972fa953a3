"""Measures of explanations, one file a question.

:mod:`.faithfulness` and :mod:`.deletion` ask whether the network agrees with the map,
:mod:`.localisation` whether the map lies where the sound is, :mod:`.randomisation` whether it
depends on the network at all, :mod:`.similarity` how alike two maps are, :mod:`.stability` whether
other seeds and more samples change it, :mod:`.sensitivity` whether noise too faint to hear does.
"""
