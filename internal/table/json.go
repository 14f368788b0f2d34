package table

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// This file turns AMQP tables into JSON. JSON has text, numbers, true, false, null, lists and objects, and where AMQP
// has no more they stand for themselves. What JSON lacks is an object with one name that begins with "@":
//
//	{"@timestamp": "2026-11-21T10:00:00Z"}  a time; as a number of seconds since 1970 if RFC 3339 can't write it
//	{"@binary": "/w=="}                     bytes, in base64
//	{"@text": "/w=="}                       text that is not UTF-8, in base64
//	{"@decimal": "12.50"}                   a decimal, which keeps its digits
//	{"@float": "NaN"}                       what JSON has no number for
//
// A name that would be mistaken for one of these, or is not UTF-8, is written as "@base64:" and its bytes in base64. A
// number with a point or an exponent is a float, any other an integer. FromJSON goes the other way.

// The names that say what type a value has.
const (
	timestamp = "@timestamp"
	binary    = "@binary"
	text      = "@text"
	fixed     = "@decimal"
	float     = "@float"
	encoded   = "@base64:" // before a name
)

// JSON turns the headers of a message into what encoding/json can write, so that FromJSON can make the same of it again.
// Headers are always a table: a name in them is never mistaken for a type's.
func JSON(t amqp.Table) map[string]any {
	m := make(map[string]any, len(t))
	for name, value := range t {
		m[nameInJSON(name)] = jsonValue(value)
	}
	return m
}

// jsonValue turns one AMQP field value (AMQP 0-9-1, section 4.2.5.5, with RabbitMQ's types) into its JSON form.
func jsonValue(value any) any {
	switch v := value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return typed(text, base64.StdEncoding.EncodeToString([]byte(v)))
		}
		return v
	case amqp.Table:
		return innerTable(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = jsonValue(v[i])
		}
		return list
	case time.Time:
		return typed(timestamp, Time(v))
	case []byte:
		return typed(binary, base64.StdEncoding.EncodeToString(v))
	case amqp.Decimal:
		return typed(fixed, decimal(v))
	case float32:
		return number(float64(v))
	case float64:
		return number(v)
	default:
		return v // bool, nil and the integers
	}
}

func typed(name string, value any) map[string]any { return map[string]any{name: value} }

// innerTable is a table within the headers, where one name that begins with "@" says a type.
func innerTable(t amqp.Table) map[string]any {
	if len(t) == 1 {
		for name, value := range t {
			if strings.HasPrefix(name, "@") {
				return map[string]any{encodedName(name): jsonValue(value)}
			}
		}
	}
	return JSON(t)
}

// nameInJSON is a field's name, encoded if JSON can't hold it or it looks as if it were.
func nameInJSON(name string) string {
	if !utf8.ValidString(name) || strings.HasPrefix(name, encoded) {
		return encodedName(name)
	}
	return name
}

func encodedName(name string) string {
	return encoded + base64.StdEncoding.EncodeToString([]byte(name))
}

// Time is a point in time as JSON has it: RFC 3339 in UTC, or the seconds since 1970 if that has no way to write it.
func Time(t time.Time) any {
	t = t.UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return t.Unix() // a program that takes milliseconds for seconds gets there
	}
	return t.Format(time.RFC3339)
}

// number is a float, which has a point or an exponent in JSON even if it is whole: 3.0 is not 3.
func number(f float64) any {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return typed(float, strconv.FormatFloat(f, 'g', -1, 64))
	case f == math.Trunc(f) && math.Abs(f) < 1e21: // beyond that encoding/json writes an exponent
		return json.Number(strconv.FormatFloat(f, 'f', 1, 64))
	}
	return f
}

// decimal writes an AMQP decimal, an integer and how many of its digits stand behind the point, without rounding.
func decimal(d amqp.Decimal) string {
	value, sign := int64(d.Value), ""
	if value < 0 {
		value, sign = -value, "-"
	}
	digits := strconv.FormatInt(value, 10)
	scale := int(d.Scale)
	if scale == 0 {
		return sign + digits
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}
