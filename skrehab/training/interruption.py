"""skorch's net, but an interruption ends it."""

from skorch import NeuralNet
from skorch.callbacks import EarlyStopping

__all__ = ["Net"]


class Net(NeuralNet):
    """A net whose training Ctrl-C ends for good.

    skorch takes an interruption for the end of training and returns what it has, so that a search
    or a cross-validation goes on with it and reports the scores of nets that were cut short.
    """

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train; what interrupts it is kept from skorch's own eyes.

        Parameters
        ----------
        X, y, epochs, **fit_params
            As of :class:`skorch.NeuralNet`.

        Returns
        -------
        Net
            The net itself.

        Raises
        ------
        BaseException
            In the place of KeyboardInterrupt, which skorch swallows.
        """
        try:
            return super().fit_loop(X, y, epochs=epochs, **fit_params)
        except KeyboardInterrupt as error:
            if any(isinstance(one, EarlyStopping) and _is_over(one) for _, one in self.callbacks_):
                raise
            raise _Interrupted from error

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Train.

        Parameters
        ----------
        X, y, classes, **fit_params
            As of :class:`skorch.NeuralNet`.

        Returns
        -------
        Net
            The net itself.

        Raises
        ------
        KeyboardInterrupt
            If it comes while training.
        """
        try:
            return super().partial_fit(X, y, classes=classes, **fit_params)
        except _Interrupted as error:
            raise KeyboardInterrupt from error.__cause__


class _Interrupted(BaseException):
    """An interruption on its way through skorch."""


def _is_over(early_stopping):
    return getattr(early_stopping, "misses_", -1) >= early_stopping.patience
