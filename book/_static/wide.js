// Say of each figure and table that is wider than its place that it scrolls sideways, and of a table on which sides.
(() => {
  const mark = (one) => {
    const rest = one.scrollWidth - one.clientWidth;
    const table = one.tagName === "TABLE";
    one.classList.toggle("xa-wide", rest > 8);
    one.classList.toggle("xa-before", table && one.scrollLeft > 8);
    one.classList.toggle("xa-after", table && one.scrollLeft < rest - 8);
  };
  const all = () =>
    document.querySelectorAll(".bd-article :is(figure.align-default, .table, table.docutils)").forEach(mark);
  window.addEventListener("load", all);
  window.addEventListener("resize", all);
  // Scrolling does not bubble: it is caught on its way down.
  document.addEventListener("scroll", (event) => event.target.tagName === "TABLE" && mark(event.target), true);
})();
