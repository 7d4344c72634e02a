import { Fragment, createContext, h } from 'preact'
import { useContext, useMemo, useState } from 'preact/hooks'
import { renderToString } from 'preact-render-to-string'

export default async function main (say) {
  const Shop = createContext('none')
  const Line = ({ name, children }) => { const [n] = useState(3); const shop = useContext(Shop); return h('li', { class: shop, 'data-n': n, style: { color: 'red', 'font-size': 12 } }, name, children) }
  class Old extends Object {}
  const Page = ({ lines }) => h(Fragment, null, h('h1', { title: 'a "b" <c>' }, 'Héllo & <all>'), h('ul', null, useMemo(() => lines.map(each => h(Line, { key: each, name: each }, h('input', { disabled: true, value: 5 }))), [lines])), null, false, 0)
  say(renderToString(h(Shop.Provider, { value: 'paris' }, h(Page, { lines: ['a', '<b>'] }))))
  say(renderToString(h('div', { dangerouslySetInnerHTML: { __html: '<i>x</i>' } })), renderToString(h('svg', { viewBox: '0 0 1 1' }, h('path', { strokeWidth: 2 }))), renderToString(h('br')))
}
