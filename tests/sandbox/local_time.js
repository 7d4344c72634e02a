// What a Date says around some instants, as lines of text: run in node and in the sandbox, and compared.
// `moments`: Unix milliseconds; every hour of the two days before and after each.
function told (moments) {
  var HOUR = 3600000
  var lines = []
  moments.forEach(function (moment) {
    for (var hour = -48; hour <= 48; hour++) {
      var date = new Date(moment + hour * HOUR)
      var parts = [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()]
      var local = new Date(parts[0], parts[1], parts[2], parts[3], parts[4])
      var half = new Date(parts[0], parts[1], parts[2], parts[3], 30, 15, 250)
      var moved = new Date(date.getTime())
      moved.setHours(moved.getHours() + 3, 45)
      var tomorrow = new Date(date.getTime())
      tomorrow.setDate(tomorrow.getDate() + 1)
      var text = date.toString()
      var iso = parts[0] + '-' + ('0' + (parts[1] + 1)).slice(-2) + '-' + ('0' + parts[2]).slice(-2) +
        'T' + ('0' + parts[3]).slice(-2) + ':30:00'
      lines.push([
        date.toISOString(), parts.join(' '), date.getDay(), date.getSeconds(), date.getTimezoneOffset(),
        local.getTime(), half.getTime(), moved.getTime(), tomorrow.getTime(), Date.parse(iso),
        Date.parse(iso.replace('T', ' ')), text.slice(0, text.indexOf(' (')), date.toDateString(),
        date.toLocaleDateString('en-US'), date.toLocaleTimeString('en-US').replace(/\s/g, ' ')
      ].join('|'))
    }
  })
  return lines
}
