package main

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/entra/entrasim"
)

// demoSize is the number of users in the demonstration's source tenant.
const demoSize = 200

// demoName is a name part in its own script, and in the letters of addresses.
type demoName struct{ shown, plain string }

// demoLocale is a people's names: given names and surnames that go together.
type demoLocale struct {
	language        string
	country, usage  string
	surnameFirst    bool
	given, surnames []demoName
}

func names(pairs ...string) []demoName {
	list := make([]demoName, 0, len(pairs))
	for _, p := range pairs {
		shown, plain, ok := strings.Cut(p, "/")
		if !ok {
			plain = shown
		}
		list = append(list, demoName{shown, strings.ToLower(plain)})
	}
	return list
}

// demoLocales are made-up people of many scripts, so that the demonstration
// shows what real directories look like.
func demoLocales() []demoLocale {
	return []demoLocale{
		{"en-GB", "United Kingdom", "GB", false, names("Anna", "Oliver", "Grace", "Samuel", "Priya"), names("Berg", "Carter", "O’Neill/oneill", "Whitfield", "Okafor")},
		{"de-DE", "Germany", "DE", false, names("Jürgen/juergen", "Käthe/kaethe", "Lukas", "Sabine"), names("Müller/mueller", "Groß/gross", "Schäfer/schaefer", "von der Heide/vonderheide")},
		{"fr-FR", "France", "FR", false, names("Chloé/chloe", "Noël/noel", "Hélène/helene", "Marc"), names("Lefèvre/lefevre", "Bañuelos/banuelos", "d’Aubigné/daubigne", "Girard")},
		{"pl-PL", "Poland", "PL", false, names("Łukasz/lukasz", "Zofia", "Grzegorz", "Małgorzata/malgorzata"), names("Wiśniewski/wisniewski", "Żak/zak", "Kowalczyk", "Dąbrowski/dabrowski")},
		{"da-DK", "Denmark", "DK", false, names("Søren/soren", "Freja", "Aksel", "Ida"), names("Ørsted/orsted", "Kjær/kjaer", "Lindqvist", "Møller/moller")},
		{"tr-TR", "Türkiye", "TR", false, names("İrem/irem", "Yılmaz/yilmaz", "Çağla/cagla", "Emre"), names("Şahin/sahin", "Öztürk/ozturk", "Güneş/gunes", "Işık/isik")},
		{"el-GR", "Greece", "GR", false, names("Γιώργος/giorgos", "Ελένη/eleni", "Νίκος/nikos", "Μαρία/maria"), names("Παπαδάκης/papadakis", "Αγγέλου/angelou", "Βασιλείου/vasileiou")},
		{"uk-UA", "Ukraine", "UA", false, names("Олена/olena", "Тарас/taras", "Ірина/iryna", "Андрій/andrii"), names("Шевчук/shevchuk", "Коваленко/kovalenko", "Їжак/yizhak")},
		{"ar-EG", "Egypt", "EG", false, names("ليلى/layla", "أحمد/ahmed", "يوسف/youssef", "مريم/maryam"), names("حسن/hassan", "المصري/elmasry", "سليمان/soliman")},
		{"he-IL", "Israel", "IL", false, names("נועה/noa", "דוד/david", "תמר/tamar"), names("כהן/cohen", "פרץ/peretz", "ברק/barak")},
		{"hi-IN", "India", "IN", false, names("आरती/aarti", "रवि/ravi", "मीरा/meera", "अर्जुन/arjun"), names("शर्मा/sharma", "पटेल/patel", "अय्यर/iyer")},
		{"zh-CN", "China", "CN", true, names("伟/wei", "芳/fang", "秀英/xiuying", "强/qiang"), names("李/li", "王/wang", "张/zhang", "刘/liu")},
		{"ja-JP", "Japan", "JP", true, names("さくら/sakura", "健太/kenta", "陽子/yoko", "翔/sho"), names("佐藤/sato", "鈴木/suzuki", "高橋/takahashi")},
		{"ko-KR", "Korea", "KR", true, names("민준/minjun", "서연/seoyeon", "지훈/jihun"), names("김/kim", "박/park", "최/choi")},
		{"th-TH", "Thailand", "TH", false, names("สมชาย/somchai", "มาลี/malee", "นิรันดร์/niran"), names("สุขใจ/sukjai", "วงศ์ดี/wongdee")},
		{"pt-BR", "Brazil", "BR", false, names("João/joao", "Conceição/conceicao", "Thaís/thais", "Caio"), names("Araújo/araujo", "Gonçalves/goncalves", "Leão/leao")},
	}
}

// The demonstration's tenants. Their domains belong to nobody.
const (
	demoSource, demoTarget             = "contoso", "fabrikam"
	demoSourceDomain, demoTargetDomain = "contoso.example", "fabrikam.example"
	demoSourceID                       = "d3700000-0000-4000-8000-00000000c001"
	demoTargetID                       = "d3700000-0000-4000-8000-00000000fa01"
)

// demoPlanted are the users who are wrong on purpose, by the local part of their
// names, with what is wrong.
func demoPlanted() map[string]string {
	return map[string]string{
		"petra.lang@" + demoTargetDomain: "the name lies in a domain of the target tenant",
		"sam.lee@" + demoSourceDomain:    "the address is that of an internal user of the target tenant",
		"desk.north@" + demoSourceDomain: "the name is the mail address of another user",
		"desk.south@" + demoSourceDomain: "the mail address is the name of another user",
	}
}

// demoSourceFile describes the source tenant: the same people at every start.
func demoSourceFile() (entrasim.File, error) {
	f := entrasim.File{}
	var err error
	f.Organization, err = demoOrganization(demoSourceID, "Contoso", demoSourceDomain)
	if err != nil {
		return f, err
	}
	people := append(demoPeople(demoSize-len(demoPlanted())), demoPlantedUsers()...)
	members := map[string][]string{}
	for i, p := range people {
		id := demoID(i + 1)
		p["id"] = id
		department, _ := p["department"].(string)
		members[department] = append(members[department], id)
		// The first person of a department leads it.
		if lead := members[department][0]; lead != id {
			p["manager"] = map[string]any{"id": lead}
		}
		user, err := entrasim.NewObject(p)
		if err != nil {
			return f, err
		}
		f.Users = append(f.Users, user)
	}
	for i, d := range demoDepartments() {
		group, err := entrasim.NewObject(map[string]any{
			"id": demoID(0x900 + i), "displayName": d, "mailNickname": strings.ToLower(d), "securityEnabled": true, "mailEnabled": false, "members": members[d],
		})
		if err != nil {
			return f, err
		}
		f.Groups = append(f.Groups, group)
	}
	return f, nil
}

// demoTargetFile describes the target tenant: two users of its own, one of whom
// holds an address of the source.
func demoTargetFile() (entrasim.File, error) {
	f := entrasim.File{}
	var err error
	if f.Organization, err = demoOrganization(demoTargetID, "Fabrikam", demoTargetDomain); err != nil {
		return f, err
	}
	for i, p := range []map[string]any{
		{"userPrincipalName": "admin@" + demoTargetDomain, "displayName": "Administrator", "mail": "admin@" + demoTargetDomain},
		{"userPrincipalName": "sam.lee@" + demoTargetDomain, "displayName": "Sam Lee (contractor)", "givenName": "Sam", "surname": "Lee", "mail": "sam.lee@" + demoSourceDomain},
	} {
		p["id"], p["accountEnabled"], p["userType"] = demoID(0xfa00+i), true, "Member"
		user, err := entrasim.NewObject(p)
		if err != nil {
			return f, err
		}
		f.Users = append(f.Users, user)
	}
	return f, nil
}

func demoOrganization(id, name, domain string) (entrasim.Object, error) {
	label, _, _ := strings.Cut(domain, ".")
	return entrasim.NewObject(map[string]any{
		"id": id, "displayName": name,
		"verifiedDomains": []map[string]any{
			{"name": label + ".onmicrosoft.example", "isInitial": true, "isDefault": false},
			{"name": domain, "isInitial": false, "isDefault": true},
		},
	})
}

func demoDepartments() []string {
	return []string{"Sales", "Finance", "Research", "Support", "Logistics"}
}

// demoPeople makes n people. Which parts meet is decided by arithmetic alone.
func demoPeople(n int) []map[string]any {
	locales, departments := demoLocales(), demoDepartments()
	titles := []string{"Manager", "Analyst", "Engineer", "Assistant", "Coordinator", "Specialist"}
	cities := []string{"Lisbon", "Leeds", "Kraków", "Osaka", "Pune", "Cairo", "Recife"}
	taken := map[string]bool{}
	people := make([]map[string]any, 0, n)
	for i := 0; len(people) < n; i++ {
		l := locales[i%len(locales)]
		round := i / len(locales)
		given := l.given[round%len(l.given)]
		surname := l.surnames[(round+round/len(l.given))%len(l.surnames)]
		local := given.plain + "." + surname.plain
		for k := 2; taken[local]; k++ {
			local = fmt.Sprintf("%s.%s%d", given.plain, surname.plain, k)
		}
		taken[local] = true
		shown := given.shown + " " + surname.shown
		if l.surnameFirst {
			shown = surname.shown + given.shown
		}
		department := departments[i%len(departments)]
		p := map[string]any{
			"userPrincipalName": local + "@" + demoSourceDomain, "mail": local + "@" + demoSourceDomain, "mailNickname": local,
			"displayName": shown, "givenName": given.shown, "surname": surname.shown,
			"department": department, "jobTitle": titles[i%len(titles)], "employeeId": fmt.Sprint(10001 + i),
			"city": cities[i%len(cities)], "country": l.country, "usageLocation": l.usage, "preferredLanguage": l.language,
			"accountEnabled": true, "userType": "Member",
		}
		if i%3 == 0 {
			p["businessPhones"] = []string{fmt.Sprintf("+44 20 7946 %04d", i)}
		}
		people = append(people, p)
	}
	return people
}

// demoPlantedUsers are the users who are wrong on purpose, in a fixed order.
func demoPlantedUsers() []map[string]any {
	planted := demoPlanted()
	upns := make([]string, 0, len(planted))
	for upn := range planted {
		upns = append(upns, upn)
	}
	slices.Sort(upns)
	people := make([]map[string]any, 0, len(upns))
	for _, upn := range upns {
		local, _, _ := strings.Cut(upn, "@")
		given, surname, _ := strings.Cut(local, ".")
		p := map[string]any{
			"userPrincipalName": upn, "mailNickname": local, "displayName": title(given) + " " + title(surname),
			"givenName": title(given), "surname": title(surname), "department": "Support", "jobTitle": "Assistant",
			"accountEnabled": true, "userType": "Member",
		}
		if local == "desk.south" { // the name of desk.north, who has no mail address
			p["mail"] = "desk.north@" + demoSourceDomain
		}
		people = append(people, p)
	}
	return people
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func demoID(n int) string { return fmt.Sprintf("de300000-0000-4000-8000-%012x", n) }
