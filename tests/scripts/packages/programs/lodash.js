import _ from 'lodash'

export default async function main (say) {
  say(JSON.stringify([_.chunk([1, 2, 3], 2), _.groupBy([1.2, 1.8, 2.1], Math.floor), _.merge({ a: [1] }, { a: [2, 3], b: { c: 1 } }), _.camelCase('Foo bar-baz'), _.template('a <%= b %>')({ b: 1 })]))
  say(_.isEqual(_.cloneDeep({ a: new Date(5), b: new Map([[1, 2]]) }), { a: new Date(5), b: new Map([[1, 2]]) }), _.truncate('a long sentence', { length: 8 }), _.kebabCase('éÀ x'))
}
