"""The one kind of error that a user can cause and mend."""


class XaiAudioError(Exception):
    """Something a user can put right: the message says what, where and how.

    Every message is one or two lines. The command line prints it and exits with status 1;
    anything else that is raised is a bug.
    """


class DamagedError(XaiAudioError):
    """Something stored is not what was written: it can be deleted and made anew."""


class XaiAudioWarning(UserWarning):
    """Something that a user should know of a result that they get: one line."""
