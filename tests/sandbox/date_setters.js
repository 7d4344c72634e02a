// Every setter of Date with every kind of argument, on a valid date and on an invalid one: told(zone's lines).
function told () {
  const lines = []
  const values = {
    nothing: undefined, 'NaN': NaN, 'null': null, text: 'x', digits: '5', fraction: 1.9, minus: -1, zero: 0, endless: Infinity,
    far: 1e9, huge: 8.64e15, 'true': true, date: new Date(5), object: {}, list: [7]
  }
  const names = []
  for (const part of ['Milliseconds', 'Seconds', 'Minutes', 'Hours', 'Date', 'Month', 'FullYear']) names.push('set' + part, 'setUTC' + part)
  names.push('setYear', 'setTime')
  for (const start of [Date.UTC(2026, 2, 28, 22, 30, 15, 250), NaN, -1, Date.UTC(2026, 9, 25, 0, 30)]) {
    for (const name of names) {
      const say = (label, ...given) => {
        const date = new Date(start)
        const answer = date[name](...given)
        lines.push([start, name, label, String(answer), String(date.getTime())].join(' '))
      }
      lines.push(name + '.length ' + Date.prototype[name].length)
      say('none')
      for (const label in values) {
        say(label, values[label])
        say('3 then ' + label, 3, values[label])
        say(label + ' then 3', values[label], 3)
      }
      say('four', 3, 4, 5, 6)
    }
  }
  return lines
}
