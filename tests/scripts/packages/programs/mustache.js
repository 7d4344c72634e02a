import Mustache from 'mustache'

export default async function main (say) {
  const view = { name: '<Ada> & "co"', items: [{ n: 1 }, { n: 2 }], none: [], deep: { er: { x: 5 } }, bold: () => (text, render) => '<b>' + render(text) + '</b>', is: true }
  say(Mustache.render('Hi {{name}} {{{name}}} {{&name}} {{#items}}[{{n}}]{{/items}}{{^none}}none{{/none}} {{deep.er.x}} {{#bold}}{{name}}{{/bold}}{{! no }}{{#is}}y{{/is}}{{missing}}', view))
  say(Mustache.render('{{> line}}\n  {{> line}}\n{{=<% %>=}}<% name %>', view, { line: '{{deep.er.x}}!\n' }))
  say(Mustache.escape('a/b=`c`'), JSON.stringify(Mustache.parse('a {{b}} {{#c}}d{{/c}}')))
  try { Mustache.render('{{#a}}', {}) } catch (error) { say(error.message) }
}
