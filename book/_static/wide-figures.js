// On a narrow page, say of each figure that is wider than the page that it scrolls sideways.
(() => {
  const mark = () => {
    for (const figure of document.querySelectorAll(".bd-article figure.align-default")) {
      figure.classList.toggle("xa-wide", figure.scrollWidth > figure.clientWidth + 8);
    }
  };
  window.addEventListener("load", mark);
  window.addEventListener("resize", mark);
})();
