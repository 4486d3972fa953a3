"""Equations as MathML, which browsers draw by themselves: the pages read well without internet."""

from __future__ import annotations

from xml.etree import ElementTree


def setup(app):
    """Register the renderer; Sphinx calls this. `html_math_renderer: mathml` chooses it."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_inline, None), block_renderers=(_block, None)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def to_mathml(latex, display="inline") -> str:
    r"""Turn an equation into MathML.

    Parameters
    ----------
    latex : str
    display : {"inline", "block"}

    Returns
    -------
    str
        One ``<math>`` element, well-formed.

    Raises
    ------
    ValueError
        If the equation cannot be drawn this way.

    Examples
    --------
    >>> to_mathml(r"\frac{1}{n}").count("<mfrac>")
    1
    """
    from latex2mathml.converter import convert

    try:
        markup = convert(latex, display=display)
        ElementTree.fromstring(markup)
    except Exception as error:  # the library's own errors share no base class
        raise ValueError(f"cannot be drawn as MathML: {latex.strip()!r}: {error!r}") from error
    return markup


def _inline(writer, node):
    _draw(writer, node, "inline")
    _skip()


def _block(writer, node):
    from sphinx.util.math import get_node_equation_number

    writer.body.append(writer.starttag(node, "div", CLASS="xa-equation notranslate"))
    _draw(writer, node, "block")
    if node.get("number"):
        # The node itself counts from 1 on each page; references count through the book.
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    _skip()


def _draw(writer, node, display):
    from sphinx.util import logging

    try:
        writer.body.append(to_mathml(node.astext(), display))
    except ValueError as error:
        # A warning, which stops the build.
        logging.getLogger(__name__).warning(str(error), location=node)


def _skip():
    from docutils.nodes import SkipNode

    raise SkipNode
