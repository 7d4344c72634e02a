// Editor: line numbers beside what is marked data-lines. Without this module it is a plain field.

function number (area) {
  const gutter = document.createElement('div')
  gutter.className = 'gutter'
  gutter.setAttribute('aria-hidden', 'true')
  const holder = document.createElement('div')
  holder.className = 'editor'
  area.replaceWith(holder)
  holder.append(gutter, area)
  let count = 0
  const show = () => {
    const lines = area.value.split('\n').length
    if (lines !== count) gutter.textContent = Array.from({ length: lines }, (_, index) => index + 1).join('\n')
    count = lines
    gutter.scrollTop = area.scrollTop
  }
  area.addEventListener('input', show)
  area.addEventListener('scroll', show)
  new ResizeObserver(show).observe(area)
  show()
}

document.querySelectorAll('textarea[data-lines]').forEach(number)
