package table

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func inJSON(t *testing.T, headers amqp.Table) string {
	t.Helper()
	text, err := json.Marshal(JSON(headers))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What becomes JSON becomes the same table again. Integers of every size are of 64 bits then, and floats too.
func TestThereAndBack(t *testing.T) {
	at := time.Unix(1_795_000_000, 0).UTC()
	for _, test := range []struct {
		name  string
		value any
		json  string
		back  any // if it is not value
	}{
		{"text", "a\"\n", `"a\"\n"`, nil},
		{"text that looks like a time", "2026-11-21T10:00:00Z", `"2026-11-21T10:00:00Z"`, nil},
		{"text that looks like base64", "/w==", `"/w=="`, nil},
		{"text that is not UTF-8", "\xff", `{"@text":"/w=="}`, nil},
		{"true", true, `true`, nil},
		{"nothing", nil, `null`, nil},
		{"the smallest integers", uint8(200), `200`, int64(200)},
		{"int8", int8(-5), `-5`, int64(-5)},
		{"int16", int16(-300), `-300`, int64(-300)},
		{"uint16", uint16(60000), `60000`, int64(60000)},
		{"int32", int32(-70000), `-70000`, int64(-70000)},
		{"uint32", uint32(math.MaxUint32), `4294967295`, int64(math.MaxUint32)},
		{"int64", int64(math.MaxInt64), `9223372036854775807`, nil},
		{"a float", 0.1, `0.1`, nil},
		{"a whole float", 3.0, `3.0`, nil},
		{"a float that is minus zero", math.Copysign(0, -1), `-0.0`, nil},
		{"a large float", 1e20, `100000000000000000000.0`, nil},
		{"a very large float", 1e21, `1e+21`, nil},
		{"the largest", math.MaxFloat64, `1.7976931348623157e+308`, nil},
		{"a tiny float", 5e-324, `5e-324`, nil},
		{"float32", float32(0.1), `0.10000000149011612`, float64(float32(0.1))},
		{"a whole float32", float32(2), `2.0`, 2.0},
		{"infinity", math.Inf(-1), `{"@float":"-Inf"}`, nil},
		{"a decimal", amqp.Decimal{Scale: 2, Value: 1250}, `{"@decimal":"12.50"}`, nil},
		{"a small decimal", amqp.Decimal{Scale: 3, Value: -5}, `{"@decimal":"-0.005"}`, nil},
		{"a decimal with every digit behind the point", amqp.Decimal{Scale: 255, Value: math.MinInt32}, "", nil},
		{"bytes", []byte{0xff}, `{"@binary":"/w=="}`, nil},
		{"no bytes", []byte{}, `{"@binary":""}`, nil},
		{"a time", at, `{"@timestamp":"2026-11-18T11:06:40Z"}`, nil},
		{"milliseconds taken for seconds", time.Unix(1_795_000_000_000, 0).UTC(), `{"@timestamp":1795000000000}`, nil},
		{"before the calendar", time.Unix(math.MinInt64, 0).UTC(), `{"@timestamp":-9223372036854775808}`, nil},
		{"a list", []any{"a", int64(1), 1.0, []any{}, amqp.Table{}}, `["a",1,1.0,[],{}]`, nil},
		{"a table", amqp.Table{"a": int64(1), "@b": "c"}, `{"@b":"c","a":1}`, nil},
		{"a table that looks like a time", amqp.Table{"@timestamp": "x"}, `{"@base64:QHRpbWVzdGFtcA==":"x"}`, nil},
		{"a name that looks encoded", amqp.Table{"@base64:eA==": "x", "y": "z"}, `{"@base64:QGJhc2U2NDplQT09":"x","y":"z"}`, nil},
		{"a name that is not UTF-8", amqp.Table{"\xff": []any{at}}, `{"@base64:/w==":[{"@timestamp":"2026-11-18T11:06:40Z"}]}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := inJSON(t, amqp.Table{"h": test.value})
			if want := `{"h":` + test.json + `}`; text != want && test.json != "" {
				t.Errorf("JSON is %s, want %s", text, want)
			}
			back, err := FromJSON([]byte(text))
			want := test.value
			if test.back != nil {
				want = test.back
			}
			if err != nil || !reflect.DeepEqual(back, amqp.Table{"h": want}) {
				t.Errorf("%s became %#v, %v", text, back, err)
			}
		})
	}
	nan, err := FromJSON([]byte(inJSON(t, amqp.Table{"h": math.NaN()})))
	if f, ok := nan["h"].(float64); !ok || !math.IsNaN(f) || err != nil {
		t.Errorf("NaN became %v, %v", nan, err)
	}
}

// A name among the headers themselves is never taken for a type's.
func TestHeadersWithOddNames(t *testing.T) {
	for text, headers := range map[string]amqp.Table{
		`{"@timestamp":"x"}`: {"@timestamp": "x"}, `{"@anything":1}`: {"@anything": int64(1)}, `{}`: {},
	} {
		if got := inJSON(t, headers); got != text {
			t.Errorf("%v became %s", headers, got)
		}
		if back, err := FromJSON([]byte(text)); err != nil || !reflect.DeepEqual(back, headers) {
			t.Errorf("%s became %v, %v", text, back, err)
		}
	}
}

func TestNoHeaders(t *testing.T) {
	for text, why := range map[string]string{
		`[]`:                          "headers: not an object: []",
		`{"a":{"@time":"x"}}`:         "headers.a: @time is no type; a table with such a name writes it as @base64: and its base64",
		`{"a":{"@timestamp":"noon"}}`: `headers.a: "noon" is not a time such as 2026-11-21T10:00:00Z`,
		`{"a":{"@timestamp":1.5}}`:    "headers.a: a time is text such as 2026-11-21T10:00:00Z, or whole seconds since 1970",
		`{"a":[0,{"@binary":5}]}`:     "headers.a[1]: @binary takes text in quotes",
		`{"a":{"@binary":"%"}}`:       `headers.a: @binary: "%" is not base64`,
		`{"a":{"@decimal":"1.-5"}}`:   `headers.a: @decimal: "1.-5" is not a decimal of 32 bits`,
		`{"a":{"@float":"x"}}`:        `headers.a: @float: "x" is not a number`,
		`{"a":1e999}`:                 "headers.a: 1e999 is beyond what a float can hold",
		`{"a":9223372036854775808}`:   "headers.a: 9223372036854775808 is beyond the integers of 64 bits",
		`{"@base64:%":1}`:             "headers.@base64:%: not base64 after @base64:",
		`{"a":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`:           "headers: more than 32 tables and lists within each other",
		`{"a":` + strings.Repeat(`{"b":`, 33) + "1" + strings.Repeat("}", 33) + `}`: "headers: more than 32 tables and lists within each other",
		`{"` + strings.Repeat("n", 256) + `":1}`:                                    "headers." + strings.Repeat("n", 72) + ": a name has at most 255 bytes, not 256",
	} {
		if back, err := FromJSON([]byte(text)); err == nil || err.Error() != why {
			t.Errorf("%.80s: got %v, %v, want %s", text, back, err, why)
		}
	}
}

// Whatever is taken can be sent, and is the same once it has been JSON again.
func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`{"a":{"@timestamp":"2026-11-21T10:00:00Z"},"b":[1.0,{"@decimal":"0.50"},{"@base64:QGI=":null}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		headers, err := FromJSON(text)
		if err != nil {
			return
		}
		if err := headers.Validate(); err != nil {
			t.Fatalf("%s gives a table that can't be sent: %v", text, err)
		}
		once := inJSON(t, headers)
		again, err := FromJSON([]byte(once))
		if err != nil || inJSON(t, again) != once {
			t.Errorf("%s became %s, and then %v, %v", text, once, again, err)
		}
	})
}
