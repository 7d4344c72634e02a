// Zones: a field of a form begins with the browser's where nobody has named one, and offers all that there are.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

for (const field of document.querySelectorAll('[data-browsers-zone]')) {
  const isFresh = field.dataset.browsersZone === 'fresh' // nobody has chosen what stands there
  if (isFresh ? field.value !== zone : !field.value) {
    field.value = zone
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  if ('again' in field.dataset) location.replace(`?zone=${encodeURIComponent(zone)}`) // what is shown is of a zone
}
for (const list of document.querySelectorAll('[data-zones]')) {
  list.replaceChildren(...Intl.supportedValuesOf('timeZone').map(each => new Option(each, each)))
}
