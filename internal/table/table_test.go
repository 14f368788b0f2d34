package table

import (
	"math"
	"reflect"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestTable(t *testing.T) {
	for _, test := range []struct {
		text string
		name string
		want any
	}{
		{"x-max-length=1000", "x-max-length", int64(1000)},
		{"n=-5", "n", int64(-5)},
		{"n=0", "n", int64(0)},
		{"n=9223372036854775807", "n", int64(math.MaxInt64)},
		{"zip=01234", "zip", "01234"},
		{"n=-05", "n", "-05"},
		{"n=00", "n", "00"},
		{"n=-0", "n", "-0"},
		{"tel=+4144", "tel", "+4144"},
		{"flag=true", "flag", true},
		{"flag=false", "flag", false},
		{`n="5"`, "n", "5"},
		{`flag="true"`, "flag", "true"},
		{"s=a=b", "s", "a=b"},
		{"s=", "s", ""},
		{"s=\"", "s", "\""},
		{"big=9223372036854775808", "big", "9223372036854775808"},
	} {
		var fields Table
		if err := fields.Set(test.text); err != nil || !reflect.DeepEqual(fields.Fields, amqp.Table{test.name: test.want}) {
			t.Errorf("%s: got %#v, %v", test.text, fields.Fields, err)
		}
	}
	for _, wrong := range []string{"", "name", "=value", strings.Repeat("n", 256) + "=1"} {
		if err := new(Table).Set(wrong); err == nil {
			t.Errorf("%.20q was taken", wrong)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("x-max-length=10")
	f.Add(`a=""`)
	f.Fuzz(func(t *testing.T, text string) {
		var fields Table
		if err := fields.Set(text); err == nil && fields.Fields.Validate() != nil {
			t.Errorf("%q gives a table that can't be sent: %v", text, fields.Fields)
		}
	})
}

func TestDecimal(t *testing.T) {
	for _, test := range []struct {
		d    amqp.Decimal
		want string
	}{
		{amqp.Decimal{Scale: 0, Value: 42}, "42"},
		{amqp.Decimal{Scale: 2, Value: 12345}, "123.45"},
		{amqp.Decimal{Scale: 3, Value: 5}, "0.005"},
		{amqp.Decimal{Scale: 1, Value: -15}, "-1.5"},
		{amqp.Decimal{Scale: 1, Value: math.MinInt32}, "-214748364.8"},
	} {
		if got := decimal(test.d); got != test.want {
			t.Errorf("decimal(%v) = %s, want %s", test.d, got, test.want)
		}
	}
}
